"""What the local page asks for: labelling, adjudication, the privacy pass. Only de-identified dialogues are read here."""
