"""What published code does that is not what it says, each as a number that it is run for."""

FAULTS = []
