"""Files that people make in spreadsheets: read as rows of text, their headings recognised, cells written safely."""
