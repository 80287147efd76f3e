//! What the repository says of itself is so: the `.proto` files are as released and as ESET documents them, the
//! OpenAPI document follows from them, the documentation cites what exists, and modules keep to their layers.

mod citations;
mod descriptors;
mod layering;
mod openapi;
