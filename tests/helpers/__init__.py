"""What several tests share: models, files, hosts and writers that are made for them."""
