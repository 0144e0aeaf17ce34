"""What is read off the resources that an estate registers: never a second description that could drift."""
