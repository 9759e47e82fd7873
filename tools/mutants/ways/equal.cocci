// Equality turned.
@@ expression A, B; @@
(
  A
- ==
+ !=
  B
|
  A
- !=
+ ==
  B
)
