# Which recorded families run: orrery_vector_test(PROGRAM FAMILIES ... LINK ...).
