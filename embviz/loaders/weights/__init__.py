"""The weights of models, as the programs that train them save them."""
