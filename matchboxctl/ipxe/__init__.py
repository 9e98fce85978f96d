"""`matchboxctl ipxe`: puts iPXE's programs where firmware loads them."""
