"""What is computed once of many images: features of networks, and where people looked, on cells."""
