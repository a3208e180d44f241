use std::sync::Arc;

use gone::prelude::*;

/// A bucket of files, in one of two regions.
struct Bucket {
    region: String,
}

#[derive(Goner)]
struct Buckets;

impl Provider for Buckets {
    type Output = Bucket;

    fn accepts(tag: &Tag, _sources: &Sources) -> gone::Result<()> {
        match tag.extend() {
            "north" | "south" => Ok(()),
            other => gone::bail!("there is no region `{other}`: say `north` or `south`"),
        }
    }

    async fn provide(&self, tag: &Tag) -> gone::Result<Bucket> {
        Ok(Bucket { region: tag.extend().to_owned() })
    }
}

#[derive(Goner)]
struct Pictures {
    #[gone("*,nroth")]
    bucket: Bucket,
}

#[gone::main]
async fn main() -> gone::Result<()> {
    Gone::load((Pictures::goner(), Buckets::goner()))
        .run(async |pictures: Arc<Pictures>| {
            println!("the pictures are in the {}", pictures.bucket.region);
            Ok(())
        })
        .await
}
