"""Logdirs of TensorBoard's projector."""
