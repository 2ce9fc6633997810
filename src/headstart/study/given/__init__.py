"""What a Python program gives to a study in place of names: functions, modules, tensors."""
