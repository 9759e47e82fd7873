// A call left out.
@@ identifier f; @@
- f(...);
+ ;
