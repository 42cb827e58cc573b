"""
One transform
=============
"""
print("hello")
