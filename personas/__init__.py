"""The bundled persona cards, the shared questions, and the vectors made from them for the starter model."""
