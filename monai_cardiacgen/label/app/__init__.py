"""The server's side: rooms that import MONAI Label, and are imported only where it is installed."""
