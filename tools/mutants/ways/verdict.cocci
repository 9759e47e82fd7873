// Another verdict.
@@ identifier I =~ "^[A-Z][A-Z0-9]*_[A-Z0-9_]*$"; @@
- return I;
+ return I + 1;

@@ symbol true, false; @@
(
- return true;
+ return false;
|
- return false;
+ return true;
)
