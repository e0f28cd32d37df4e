"""What differs between the vendors of models: a file each, behind one protocol."""
