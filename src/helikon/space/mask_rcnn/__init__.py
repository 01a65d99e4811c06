"""The network: its layers, its training, its ONNX graphs, and what it says of a tile (``view.py``)."""
