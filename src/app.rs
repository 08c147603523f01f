//! The window: panels, viewports, theme, shortcuts. Draws through `gpu`; algorithms live elsewhere.
