"""Reports: one module a format. All text is made here; `words` says it, the others lay it out."""
