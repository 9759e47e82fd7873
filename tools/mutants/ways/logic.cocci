// One of two conditions is enough, or is not.
@@ expression A, B; @@
(
  A
- &&
+ ||
  B
|
  A
- ||
+ &&
  B
)
