//! UID-R1 with processes.

#[cfg(feature = "etcd")]
mod etcd {
    use std::path::Path;
    use std::time::Duration;

    use gone_coord::CoordConfig;
    use gone_test_bench::Role;
    use tempfile::TempDir;

    use crate::at::{At, all_differ, soon};

    const PROCESSES: usize = 8;
    const PATIENCE: Duration = Duration::from_secs(120);

    /// Takes ids when it is told to, writes them down, and says of which instance they are.
    async fn take(count: usize) {
        let told = |name: &str| std::env::var(name).unwrap();
        let at = At(CoordConfig { url: told("URL").into(), root: told("ROOT"), ..CoordConfig::default() });
        let uid = at.uid().await;
        let mut ids = Vec::with_capacity(count);
        for _ in 0..count {
            ids.push(uid.snowflake().await.unwrap());
        }
        assert!(ids.is_sorted_by(|a, b| a < b));
        let instance = uid.instance().unwrap();
        assert!(ids.iter().all(|id| uid.parse(*id).unwrap().instance == instance));
        let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
        std::fs::write(told("FILE"), bytes).unwrap();
        Role::say(&instance.to_string());
        // All hold their numbers until all are done.
        tokio::time::sleep(PATIENCE).await;
        let _ = uid.close(soon()).await;
    }

    fn read(file: &Path) -> Vec<i64> {
        let bytes = std::fs::read(file).unwrap();
        bytes.chunks_exact(8).map(|id| i64::from_le_bytes(id.try_into().unwrap())).collect()
    }

    async fn processes(test: &str, count: usize) {
        if Role::is("taker") {
            return take(count).await;
        }
        let at = At::etcd(test).await;
        let folder = TempDir::new().unwrap();
        let file = |number: usize| folder.path().join(number.to_string());
        let start = |number: usize| {
            let file = file(number);
            let environment = [("URL", at.0.url.as_str()), ("ROOT", &at.0.root), ("FILE", file.to_str().unwrap())];
            Role::start(&format!("processes::etcd::{test}"), "taker", &environment).unwrap()
        };
        let mut takers: Vec<Role> = (0..PROCESSES).map(start).collect();
        let mut instances = Vec::new();
        for taker in &mut takers {
            instances.push(taker.line(PATIENCE).await.unwrap());
        }
        instances.sort_unstable();
        instances.dedup();
        assert_eq!(instances.len(), PROCESSES, "{instances:?}");
        let all = all_differ((0..PROCESSES).map(|number| read(&file(number))));
        assert_eq!(all, PROCESSES * count);
        println!("{all} ids of {PROCESSES} processes");
    }

    // UID-R1
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "needs etcd: cargo xtask test"]
    async fn processes_take_different_ids() {
        processes("processes_take_different_ids", 50_000).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    #[ignore = "full size: cargo xtask soak"]
    async fn full_size_processes_take_different_ids() {
        processes("full_size_processes_take_different_ids", 1_000_000).await;
    }
}
