say none
