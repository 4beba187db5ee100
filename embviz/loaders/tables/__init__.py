"""Tables that other programs keep: Parquet, Arrow, AnnData."""
