# The console font: glyphs of a Debian console font (package console-setup-linux) as a C array. Included after kernel.mk and user.mk,
# whose object names it uses, and before host.mk.

FONT_PSF ?= /usr/share/consolefonts/Lat15-VGA16.psf.gz
FONT_H   := $(O)/gen/lib/font/font_data.h
GEN_H    += $(FONT_H)

$(KO)/lib/font/font.o $(UO)/lib/font/font.o: $(FONT_H)
$(FONT_H): lib/font/gen_font.py $(wildcard $(FONT_PSF))
	@mkdir -p $(@D)
	$(Q)test -e $(FONT_PSF) || { echo "$(FONT_PSF) is missing: apt-get install console-setup-linux"; exit 1; }
	$(Q)$(PYTHON) lib/font/gen_font.py $(FONT_PSF) > $@.tmp && mv $@.tmp $@
