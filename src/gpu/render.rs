//! Renderers: each draws one kind of thing into a texture of its own, only when something has changed.
//!
//! All colours are sRGB and are mixed as such, premultiplied; pictures are [`super::view_texture::ViewTexture`]s.

pub mod raymarch;
pub mod slice;
