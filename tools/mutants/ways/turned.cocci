// A condition turned.
@@ expression E; statement S1, S2; @@
(
  if (
- E
+ !(E)
  ) S1 else S2
|
  if (
- E
+ !(E)
  ) S1
)
