"""Problems made of problems, with constants by rule."""
