// A constant moved.
@@ constant C =~ "^[0-9]"; @@
- C
+ (C + 1)
