"""Is generated whole-heart CT like CT? Painters of label maps, new hearts, CT to MR and back."""
