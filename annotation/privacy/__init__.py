"""What protects the people in a chat: detectors, surrogates, covered pictures, the de-identified copy, the leak check."""
