"""Back ends for devices other than NVIDIA's: one package a vendor."""
