"""Teaching labs: what a student is given, what is asked, and whether an answer is right.

`catalogue` reads the labs, `draws` gives each student parameters of their own, `desk` makes the reference anew
and calls students' code inside a guest, `exercises` has a module per lab that marks it. labs/teaching.md is the
teacher's guide.
"""
