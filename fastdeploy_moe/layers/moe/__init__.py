"""The mixture-of-experts layer, what its back ends have in common, and the back ends for NVIDIA's devices."""
