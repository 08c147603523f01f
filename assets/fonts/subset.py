"""Makes the fonts of this folder from their originals (needs fonttools): python3 subset.py INTER_DIR ICONS_TTF ICON_LIST

Inter: Latin, Greek, Cyrillic and signs; digits are its own tabular ones (feature tnum), because the window's text layout
has no OpenType features. Icons: the outlined Material Symbols that the list names ("name codepoint" a line).
"""
import sys
from fontTools import subset
from fontTools.ttLib import TTFont

inter_dir, icons_ttf, icon_list = sys.argv[1:4]
TEXT = [*range(0x20, 0x7F), *range(0xA0, 0x250), *range(0x370, 0x400), *range(0x400, 0x460), *range(0x2000, 0x2070),
        *range(0x2070, 0x20A0), 0x20AC, *range(0x2100, 0x2150), *range(0x2190, 0x21FF), *range(0x2200, 0x2300),
        *range(0x25A0, 0x2600), 0x2318, 0x21E7, 0x23CE]


def options():
    chosen = subset.Options()
    chosen.name_IDs, chosen.notdef_outline, chosen.hinting = ["*"], True, True
    chosen.layout_features = ["kern", "mark", "mkmk", "ccmp"]
    return chosen


def tabular(font):
    table = font["GSUB"].table
    swaps = {}
    for record in table.FeatureList.FeatureRecord:
        if record.FeatureTag == "tnum":
            for index in record.Feature.LookupListIndex:
                for sub in table.LookupList.Lookup[index].SubTable:
                    swaps.update(getattr(sub, "ExtSubTable", sub).mapping)
    for cmap in font["cmap"].tables:
        for code in [*range(0x30, 0x3A), 0x2212, 0x2B, 0x3D]:
            if code in cmap.cmap:
                cmap.cmap[code] = swaps.get(cmap.cmap[code], cmap.cmap[code])


for weight in ["Regular", "Medium", "SemiBold"]:
    font = TTFont(f"{inter_dir}/Inter-{weight}.otf")
    tabular(font)
    cutter = subset.Subsetter(options())
    cutter.populate(unicodes=TEXT)
    cutter.subset(font)
    font.save(f"Inter-{weight}.otf")

codes = [int(line.split()[1], 16) for line in open(icon_list) if line.strip()]
font = TTFont(icons_ttf)
chosen = options()
chosen.layout_features = []
cutter = subset.Subsetter(chosen)
cutter.populate(unicodes=codes)
cutter.subset(font)
font.save("MaterialSymbolsRounded-subset.ttf")
