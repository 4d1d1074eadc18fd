"""What runs: the device, the starter model, loading, the patch over the blocks, caches, sampling, decoding."""
