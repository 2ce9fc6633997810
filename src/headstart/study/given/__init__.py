"""What a Python program gives to a study: functions, modules, tensors and arrays in place of names."""
