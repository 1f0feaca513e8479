"""Pretrained networks: how they are made, where their features lie, where their weights come from."""
