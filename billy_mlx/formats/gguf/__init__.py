"""GGUF, the format of llama.cpp: what a file holds, its tensors, its tokenizer, and which mlx-lm model it is."""
