pub fn generate(
    _: &super::descriptors::DescriptorSet,
    _: &[(&str, &str)],
    _: &str,
    _: bool,
) -> Result<String, Box<dyn std::error::Error>> {
    Ok(String::new())
}
