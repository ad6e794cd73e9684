"""Back ends that come with a quantisation of the whole model."""
