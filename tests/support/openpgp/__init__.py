"""Key rings as GnuPG 2.4 exports them, and signatures checked without the library that makes them."""
