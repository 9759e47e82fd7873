// Plus for minus.
@@ expression A, B; @@
(
  A
- +
+ -
  B
|
  A
- -
+ +
  B
|
  A
- +=
+ -=
  B
|
  A
- -=
+ +=
  B
)
