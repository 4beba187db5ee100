"""HDF5: plain data sets, Keras models and AnnData."""
