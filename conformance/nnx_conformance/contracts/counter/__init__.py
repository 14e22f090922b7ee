"""The counter of the first exercise, called eagerly (`mutability`) and in its functional form (`split-merge`)."""
