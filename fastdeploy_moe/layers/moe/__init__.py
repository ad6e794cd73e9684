"""The back ends of the mixture-of-experts layer."""
