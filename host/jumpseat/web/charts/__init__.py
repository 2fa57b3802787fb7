"""Charts as SVG: what a tile shows, measured out here and drawn by the macros of ``templates/charts/``; no script, no style attribute."""
