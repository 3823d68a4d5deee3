"""The audit of a built set: a sample of its queries, for people to answer blind, and what their answers say of the labels."""
