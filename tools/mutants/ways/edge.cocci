// A bound that is one off.
@@ expression A, B; @@
(
  A
- <
+ <=
  B
|
  A
- <=
+ <
  B
|
  A
- >
+ >=
  B
|
  A
- >=
+ >
  B
)
