//! The same Dockerfile and files give the same image, wherever and whenever.

use std::fs::{self, File};
use std::path::Path;
use std::time::{Duration, SystemTime};

use testkit::Corten;

use crate::corten;

const DOCKERFILE: &str = "\
FROM busybox AS build
WORKDIR /work
COPY --chmod=755 src ./src
RUN date > /dev/null && cat src/* > all && mkdir -p out/deep && cp all out/deep/ && ln -s all link
FROM busybox
LABEL a=1
ENV PATH=/bin
COPY --from=build /work/out /out
RUN touch /now && mkdir /empty && chmod 700 /empty
USER 1000:1000
CMD [\"cat\", \"/out/deep/all\"]
";

#[test]
fn two_roots_and_other_times_give_the_same_digest() {
    let hour = Duration::from_secs(3600);
    let ids: Vec<String> = [hour, 1000 * hour]
        .into_iter()
        .map(build_with_age)
        .collect();
    assert_eq!(ids[0], ids[1]);
}

fn build_with_age(age: Duration) -> String {
    let corten = corten();
    let context = corten.folder().join("context");
    write_sources(&context, age);
    build(&corten, &context)
}

fn build(corten: &Corten, context: &Path) -> String {
    corten.ok(&["build", "-q", "-t", "same", context.to_str().unwrap()])
}

fn write_sources(context: &Path, age: Duration) {
    fs::create_dir_all(context.join("src")).unwrap();
    fs::write(context.join("Dockerfile"), DOCKERFILE).unwrap();
    for name in ["one", "two"] {
        let path = context.join("src").join(name);
        fs::write(&path, name).unwrap();
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(SystemTime::now() - age)
            .unwrap();
    }
}
