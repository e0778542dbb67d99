"""A toolbox that knows pictures and sound and has never heard of retention."""
