"""Reparte facturas entre viviendas, en céntimos."""

import re

IMPORTE = re.compile(r"(-?)(\d{1,3}(?:\.\d{3})+|\d+)(?:,(\d{1,2}))?\s*€?")


def repartir(centimos, coeficientes):
    """Devuelve lo que paga cada vivienda, en el orden de los coeficientes."""
    total = sum(coeficientes)
    if min(coeficientes, default=0) < 0 or total == 0:
        raise ValueError("los coeficientes no permiten repartir")
    if centimos < 0:
        return [-parte for parte in repartir(-centimos, coeficientes)]
    partes, restos = zip(*(divmod(centimos * c, total) for c in coeficientes), strict=True)
    orden = sorted(range(len(partes)), key=lambda i: -restos[i])
    con_uno_mas = orden[: centimos - sum(partes)]
    return [parte + (i in con_uno_mas) for i, parte in enumerate(partes)]


def leer_importe(texto):
    """Lee un importe como '1.234,50 €' y lo devuelve en céntimos."""
    leido = IMPORTE.fullmatch(texto.strip())
    if not leido:
        raise ValueError(f"no es un importe: {texto!r}")
    signo, euros, decimales = leido.groups(default="")
    centimos = int(euros.replace(".", "")) * 100 + int(decimales.ljust(2, "0"))
    return -centimos if signo else centimos


def escribir_importe(centimos):
    """Escribe céntimos como '1.234,50 €'."""
    euros, resto = divmod(abs(centimos), 100)
    signo = "-" if centimos < 0 else ""
    return f"{signo}{euros:,}".replace(",", ".") + f",{resto:02} €"
